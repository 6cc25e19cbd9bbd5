"""What both screens share: tokens of design, fonts, languages, security headers."""
