"""Folders of images: how they are laid out, and how their files become arrays.

folder.py             the data set of a folder
folder_layout.py      which folders are splits and classes
folder_tree.py        the folders, each listed once
folder_split.py       the rule that divides a folder without splits
folder_refusals.py    layouts that mean nothing, each with a fix
image_reader.py       the images as arrays, decoded once
decode.py             one file as an array
decode_many.py        many, in threads
open_image.py         an image file, opened with suspicion
damaged_images.py     which cannot be read, and the error that names them
cache.py              decoded images kept in a file
formats.py            the formats that are read
content.py            what a file is instead, by its first bytes
bit_depth.py          16 bits per channel
orientation.py        upright, and on white
"""
