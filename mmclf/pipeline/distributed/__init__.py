"""A run in several processes: the main one orders, the others follow.

messages  what is sent: a run's configuration and data, a fit's inputs and checkpoint
team      the others, as the main process orders them
follower  what another process does
checks    settings that do not go with several processes
"""
