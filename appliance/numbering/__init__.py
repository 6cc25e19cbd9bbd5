"""Printed page numbers and what their sequence tells: late, apart from the verdict, pure. No files, no clock."""
