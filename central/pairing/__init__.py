"""Pairing, the centre's half: invitations, the listener, the conversation."""
