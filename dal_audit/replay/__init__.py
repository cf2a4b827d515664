"""Replay: run migration sets on real engines, and say what they do there.

`plan` says which sets run on which engines, `running` runs each of them in a process of its own,
`verdicts` makes breaches of what the engines said.
"""
