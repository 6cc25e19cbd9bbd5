"""The hardware of a station behind contracts. Knows nothing of books, of the spool or of the network."""
