"""What makes models write less: a constant block of instructions, and less thinking where little is to be thought.

words     the block itself, at four levels of verbosity
place     where it stands in a request of each API
turns     what a turn is: a question, or results of tools and nothing else
efforts   where a model can be asked for less effort without losing what is cached
pins      what was decided at a conversation's first request, and holds for the rest of it
talk      all of that for one request
"""
