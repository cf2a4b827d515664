"""How well verdicts agree with what real engines and real code say; no part of the test run."""
