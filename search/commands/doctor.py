"""`hpsearch doctor`."""

from __future__ import annotations

from search.commands.options import DEFAULT_STORAGE, AsFormat, Format, Storage, print_json, print_table


def doctor(form: AsFormat = Format.table, storage: Storage = DEFAULT_STORAGE) -> None:
    """Show what this machine has: cores, GPU, disk, store, data.

    \b
    hpsearch doctor
    hpsearch doctor --format json
    """
    from search.checkup import checkup
    from search.view.tables import pairs_table

    findings = checkup(storage)
    if form is Format.json:
        print_json(findings)
    else:
        print_table(pairs_table(findings.items()))
