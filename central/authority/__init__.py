"""Who may come in: certificates, revocation, the broker and its rules, and how all of it is set up."""
