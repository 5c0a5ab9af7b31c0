"""The law: what is demanded, by when, and what is refused. Standard library only, no clock, no I/O.

Read in this order: `provision` (law and verdicts as values), `book` (a place's rulebook), then one
module per shape of rule: `cadence` and `calendar` (by when), `fitness` (who may work), `limits`
(what water is good), `scope` (which facilities), `gates` (what stops an act), `signs` (what looks
made up), `stricter` (what an operator may set).
"""
