"""Packs a finished release build for nodes that have only a driver; standard library only."""
