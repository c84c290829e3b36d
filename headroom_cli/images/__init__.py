"""Pictures: what they cost, how small they may be, whether two show the same. Pure functions of bytes.

Only the standard library is imported here; Pillow is imported by what decodes pixels, and without it nothing is shrunk.

``head``     size, type and orientation from the first bytes, without decoding
``cost``     tokens by the providers' published rules
``measure``  simple features of a picture, and what kind of picture it is
``shrink``   the cheapest picture that still shows what the original shows
``alike``    fingerprints, and where two pictures of one size differ
``area``     a rectangle at its full size
``pixels``   the only one that imports Pillow when it is imported: decode, resize, encode
``stage``    the pictures of a document in their order
"""
