"""Models that rate the words of prose: where they are, how they are run, which words may go, how they are fetched.

find.py finds the files of a name, and runtime.py makes scores of words with them; protect.py knows the words that never
go, whatever a model says, and choose.py what goes first. published.py, hub.py, pull.py and manifest.py are behind
`headroom models`: what is fetched, from where, and how it is checked.
"""
