"""Prompt families: how published provers are asked, and how their answers are read."""
