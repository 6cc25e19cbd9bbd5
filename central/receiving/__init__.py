"""From an offer to a receipt: turns, grants, chunks, proof, and the folder where objects become durable."""
