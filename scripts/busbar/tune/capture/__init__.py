"""What an application was seen to call: from captured files to a workload.

The files are described in src/plugins/README.md. `lines` holds their data models, `nccl` and `mpi`
turn a line into executions of operations, `select` picks the communicators that a workload is of,
and `workload` puts it together.
"""
