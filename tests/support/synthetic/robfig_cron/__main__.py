"""Write the table anew: `python -m tests.support.synthetic.robfig_cron`, with Go on the PATH."""

from tests.support.synthetic.robfig_cron.table import TABLE, build_table

if __name__ == "__main__":
    TABLE.write_text(build_table())
