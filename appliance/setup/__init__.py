"""Setting up on the station's own screen: parts on trial, pairing, disks, health, support; errands to small units."""
