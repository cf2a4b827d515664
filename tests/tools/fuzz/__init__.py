"""Made-up input for every reader: whatever comes, it is read or refused in words."""
