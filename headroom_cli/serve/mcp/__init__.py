"""The Model Context Protocol: our tools as a server, and a place in front of other people's servers.

    tools.py     the tools: what they are called, what they say of themselves, what is wrong with a call
    jobs.py      what the tools do, in worker processes that can be killed (../engines.py)
    talk.py      the job of the wrapper: the result of somebody's tool, made smaller as in a conversation
    server.py    calls -> jobs -> results, with the SDK's server, which knows the revisions of the protocol
    stdio.py     that server on standard input and output
    http.py      that server on loopback: ../gate.py before all else, then the SDK's two transports
    wrap.py      a process between a client and any server that speaks over standard input and output
    lines.py     its bytes: lines within limits, what is longer goes through as it comes
    traffic.py   what a line is, and which calls wait for their results
    results.py   results and lists of tools, edited in place

wrap.py and what it uses need no SDK: what is not understood there has to pass, whatever revision comes next.
"""
