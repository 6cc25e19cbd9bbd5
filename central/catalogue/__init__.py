"""The catalogue: an index over the store, made again from its folders whenever it is lost."""

from central.catalogue.database import Catalogue

__all__ = ["Catalogue"]
