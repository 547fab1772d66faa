"""Plans of stages: what is measured, on which groups of ranks, and whether each row is needed.

`document` is a plan's file, `layout` where ranks and leaves are, `groups` what a stage runs on,
`mechanisms` which reduction in the network there is and the fact that excuses where there is none,
`rows` the plan that the record keeps, `probe` a short launch that tells how long things take,
`budget` how many launches and samples fit, `table` what is shown before a run begins.
"""
