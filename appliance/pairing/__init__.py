"""Pairing: how a station becomes its centre's and stays it; keys, certificates, their renewal."""
