"""The disk: files that are written whole or not at all, folders that do not stay, their names."""

__all__ = ["ancestors", "regular_file", "scratch_folder", "signals", "whole_file"]
