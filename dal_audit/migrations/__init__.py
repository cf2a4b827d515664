"""Migration sets: which files a migration tool runs, in which order, and what undoes them.

`listing.wanted` says which files' facts are needed, `recognise.find_sets` makes the sets of them;
`model` has what they are. Nothing is loaded here: a project without migrations needs the model
alone.
"""
