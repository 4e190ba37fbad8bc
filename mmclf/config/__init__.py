"""The configuration: composed, checked whole, and its components built.

the way     compose, composer, overrides, override_lines: command lines to checked configurations;
            other_names: what others call settings and levels;
            component_overrides: to a component that was composed before
to load     shipped, loader, repository: all that Hydra loads, checked before use
to check    composed, validate, schema, study_schema, setting_types, signature_check,
            source_signature, number_bounds, pydantic_messages, validation_cache
to refuse   hydra_policy, hydra_folders, output_locations, interpolations, resolvers, limits,
            one_line, passwords: what a stranger's file cannot do, and what is not written
            down; walk
to allow    grants: what the command line alone may allow
components  components (which groups have them), targets, moved_targets, user_modules
"""
