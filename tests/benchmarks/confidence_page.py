"""The text of docs/confidence.md."""

PAGE_TEXT = """# How sure labels are

    python -m tests.benchmarks.confidence --write

writes this page; with `--train` the table is fitted first. Every box that `crosslabel autolabel` makes says
in its attribute `confidence` how likely it needs no edit: its centre within 0.2 m, each size within 10 % or
0.2 m, its heading within 10 degrees, of the right kind. Where that is less than {least:g} its attribute
`look` says what speaks most against it. A track says in `confidence` how many of its boxes need no edit,
and `look` if most of its boxes want one. What was given is never touched, and says nothing.

## How

Each box is looked at in the scan of its frame, however it was made: the points in it, where the outermost
ones lie at each face, how the near ones are turned against it, what sticks out, what stands before it, and
what is seen through it (`autolabel/confidence/looks.py`). All boxes of a track together tell where its
points usually end, how sharply they agree on that, and which of its sides were ever seen. To that comes
what is known without scans: how far in time it is from a box that was given or detected, how it moves, how
surely and how much alike it was detected.

The chance is a product of four: that the kind is right, then the size, then the heading, then the place.
Each is a sum of steps that can be read by eye (`autolabel/confidence/table.json`), for boxes of objects of
which some are given, and of those that were found; with and without scans; of people, of what moves, of
what stands. The reason is what speaks most against the least likely of the four.

Tuned: the table is fitted to these drives, and the threshold was chosen on them, each judged by tables of
other drives ("held out"). PandaSet 002 with frame 11 given is among them; frames 3 and 18 of the same 22
frames are reported, and so is what is found there when nothing is given. To the boxes that the pipeline
makes come some that were put beside their objects or turned: what speaks against a box is learnt from all
of them, how likely that makes it from the pipeline's alone, by a slope and a shift of the log odds. One
decision, to tell where an object's points end from the box that was given, was made after looking at a car
of frame 18, a reported one. The threshold is the least of those below at which the flagged boxes hold about
nine of ten that need an edit where one box is given. The settings of the detector, though not its table, were
chosen on simulated drive 101 too.

## What a flag means

{reported}

On the drives that were tuned on, each judged by tables of others:

{tuned}

## What a chance means

The share that needs no edit of the boxes with a chance between two values, and how many there are.

{scores}

## Which threshold

For each least chance without a flag, on the tuned drives, held out: the boxes flagged, the boxes that need
no edit among the others, and the flagged ones among those that need one; in percent.

{thresholds}

## What the reasons are worth

Of the reported boxes that are flagged with these words: how many need an edit, and of what.

{reasons}

## What it costs

{cost}, on one thread of a machine that others kept busy.

## What is weak

- What is far away or hidden all the time is told by how long that lasts and how far away it is, nothing
  else.
- Whether a car stands or creeps is seen late: within 0.2 m its points look the same.
- Cones and other small things are flagged too often: simulated drives have none to learn from.
- From nothing hardly any box is sure, and of those that are too many are wrong: their sizes are.
- The same 22 frames of one real street stand behind all real rows with scans.
- A table holds for the pipeline that it was fitted to: after a change that moves many boxes it is fitted
  anew.
"""
