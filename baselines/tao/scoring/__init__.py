"""Stage 2: how unusual each box is, by attributes whose normal range is learned from training clips.

Source: TAO, section 3.1, equations 2 and 3; the scorer of Reiss and Hoshen (2022), as tao.md section 3 describes it.
"""
