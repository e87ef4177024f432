"""The flights model as one wide table, joined beforehand, in a CSV file: for peers that run in a browser.

usage: flat.py FOLDER_OF_FLIGHTS FILE
"""
import sys

from models import flights
from peers import star

model = flights(sys.argv[1])
joins = model.joins(set(model.tables), "FULL")
star(model).execute(f"COPY (SELECT * FROM {model.fact}{joins}) TO '{sys.argv[2]}' (HEADER)")
