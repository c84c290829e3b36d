"""What calls cost: the provider's usage in one form, prices with their date and source, sums of the ledger.

Two kinds of numbers that are never added up: what a provider counted (measured) and estimates of ours.
"""
