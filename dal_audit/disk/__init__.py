"""What is written to disk: files that are whole or as they were, folders that do not stay."""

__all__ = ["regular_file", "scratch_folder", "signals", "whole_file"]
