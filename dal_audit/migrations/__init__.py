"""Migration sets: which files a migration tool runs, in which order, and what undoes them.

`listing.wanted` says which files' facts are needed, `detect.find_sets` makes the sets of them;
`model` has what they are, and `tools` what tells one tool from another. Nothing is loaded here: a
project without migrations needs the model alone.
"""

__all__ = [
    "apps",
    "detect",
    "down_places",
    "folders",
    "graph_flaws",
    "listing",
    "model",
    "numbering_flaws",
    "released",
    "tools",
]
