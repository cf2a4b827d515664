"""Grammars of what is mostly sound: migrations in Python, configurations, baselines."""

from __future__ import annotations

from typing import Final

from tests.tools.fuzz.grammar import Grammar

_VALUES: Final[Grammar] = {
    "name": ("t", "a", "users", "ä", "a b", "", "s.t", '\\"q\\"', "%s", "x" * 70),
    "text": ('"<name>"', "None", "NAME", "f'{a}_b'", '"a" "b"', "sa.text(<sql>)", "[]", "x()"),
    "sql": ('"SELECT 1"', '"now()"', '"UPDATE t SET a = 1"', "'DROP TABLE t; --'", "SQL", '"("',
            '"INSERT INTO t VALUES (%s)"', 'f"DELETE FROM {t}"', '"""\nCREATE INDEX i ON t (a);\n"""'),
    "flag": ("True", "False", "None", "1", "is_x()", "*a", "not x"),
}  # fmt: skip

ALEMBIC: Final[Grammar] = {
    **_VALUES,
    "module": ("<head>def upgrade():\n<body>def downgrade():\n<body>",
               "<head>def upgrade():\n<body>", ("<head>def helper(x=<text>):\n<body>"
               "def upgrade():\n    helper(<text>)\n    for t in [<text>, <text>]:\n    <line>"
               "def downgrade():\n    helper()\n")),
    "head": (("import sqlalchemy as sa\nfrom alembic import op\nrevision = '1'\n"
             "down_revision = <text>\nNAME = 't'\nSQL = <sql>\n"),),
    "body": ("<line>", "<line><line><line>", "<batch>", "    if <flag>:\n    <line><line>",
             "    bind = op.get_bind()\n    bind.execute(<sql>)\n<line>",
             "    with op.get_context().autocommit_block():\n    <line>"),
    "batch": ("    with op.batch_alter_table(<text>, <option>) as b:\n        b.<call>\n",),
    "line": ("    op.<call>\n", "    op.execute(<sql>)\n", "    pass\n", "    return\n"),
    "call": ("drop_table(<text>)", "create_table(<text>, <columns>, <option>)",
             "add_column(<text>, <column>)", "drop_column(<text>, <text>)",
             "alter_column(<text>, <text>, <option>, type_=<type>)", "rename_table(<text>, <text>)",
             "create_index(<text>, <text>, [<text>, sa.text(<sql>)], <option>)",
             "drop_index(<text>, <option>)", ("create_foreign_key(<text>, <text>, <text>, [<text>], "
             "[<text>], ondelete=<text>)"), "create_check_constraint(<text>, <text>, <sql>)",
             "create_unique_constraint(<text>, <text>, [<text>])", "create_primary_key(<text>)",
             "drop_constraint(<text>, <text>, type_='unique')", "bulk_insert(t, [{'a': 1}])",
             "execute(sa.insert(t).values(a=1))", "f(<text>)", "execute(*<text>)"),
    "columns": ("<column>", "<column>, <column>", "*COLUMNS", "<column>, sa.UniqueConstraint(<text>)",
                "<column>, sa.CheckConstraint(<sql>, name=<text>), sa.PrimaryKeyConstraint(<text>)"),
    "column": ("sa.Column(<text>, <type>)", "sa.Column(<text>, <type>, <option>)", "Column()",
               "sa.Column(<text>, sa.ForeignKey(<text>, ondelete=<text>), <option>)", "column"),
    "type": ("sa.Integer()", "sa.String(<flag>)", "sa.Enum(<text>, <text>, name=<text>)", "T",
             "postgresql.ARRAY(<type>)", "<type>.with_variant(<type>, <text>)", "sa.Numeric(10, 2)",
             "postgresql.JSONB", "sa.DateTime(timezone=<flag>)", "sa.Computed(<sql>)"),
    "option": ("nullable=<flag>", "server_default=<text>", "unique=<flag>", "if_exists=<flag>",
               "postgresql_where=sa.text(<sql>)", "schema=<text>", "primary_key=<flag>", "**more",
               "existing_type=<type>", "new_column_name=<text>", "comment=<text>"),
}  # fmt: skip

DJANGO: Final[Grammar] = {
    **_VALUES,
    "module": ("<head>\nclass Migration(migrations.Migration):\n<more>    operations = [<list>]\n",),
    "head": (("from django.db import migrations, models\nNAME = 't'\nSQL = <sql>\n"
             "def forth(apps, schema_editor):\n    schema_editor.execute(<sql>)\n"
             "    apps.get_model('a', <text>).objects.update(a=<flag>)\n"),),
    "more": ("", "    atomic = <flag>\n", "    initial = <flag>\n",
             "    dependencies = [('a', <text>), migrations.swappable_dependency(x)]\n"),
    "list": ("<operation>", "<operation>, <operation>, <operation>", "*<operation>, <operation>", ""),
    "operation": ("migrations.RunSQL(<sql>)", "migrations.RunSQL(<sql>, <sql>)",
                  "migrations.RunSQL([<sql>, (<sql>, [1])], migrations.RunSQL.noop)",
                  "migrations.RunPython(forth, <text>)", "migrations.DeleteModel(<text>)",
                  ("migrations.CreateModel(<text>, fields=[(<text>, <field>)], options={'db_table': "
                  "<text>, 'unique_together': {(<text>,)}})"), "migrations.RenameModel(<text>, <text>)",
                  "migrations.AddField(<text>, <text>, <field>)", ("migrations.RemoveField(<text>, "
                  "<text>)"), "migrations.AlterField(model_name=<text>, name=<text>, field=<field>)",
                  "migrations.RenameField(<text>, <text>, <text>)", ("migrations.AddIndex(<text>, "
                  "models.Index(fields=[<text>], name=<text>, condition=models.Q(a=<flag>)))"),
                  "migrations.AddConstraint(<text>, models.CheckConstraint(check=<text>))",
                  "migrations.SeparateDatabaseAndState([<list>], state_operations=[<list>])",
                  "migrations.AlterUniqueTogether(<text>, {(<text>, <text>)})", "Own(<text>)"),
    "field": ("models.IntegerField()", "models.CharField(max_length=<flag>, <option>)", "F()",
              "models.ForeignKey(<text>, on_delete=models.CASCADE, <option>)", "models.BigAutoField()",
              "models.ManyToManyField(<text>, <option>)", "models.JSONField(default=dict)",
              "ArrayField(<field>)", "models.DecimalField(max_digits=5, decimal_places=<flag>)"),
    "option": ("null=<flag>", "default=<text>", "unique=<flag>", "db_column=<text>", "blank=<flag>",
               "choices=[(<text>, <text>)]", "related_name=<text>", "**more"),
}  # fmt: skip

CONFIGURATION: Final[Grammar] = {
    "file": ("<key>", "<key>", "<table>", "<key><table>", "<key><key><table><table>"),
    "key": ("storage = <globs>\n", "include = <globs>\n", "exclude = <globs>\n",
            "source-roots = <folders>\n", "composition-roots = <globs>\n", "drivers = <modules>\n",
            "extend-drivers = <modules>\n", "driver-types = <modules>\n", "accessors = <modules>\n",
            "backends = <backends>\n", "select = <rules>\n", "ignore = <rules>\n",
            "extend-select = <rules>\n", 'rust-row-models = "allow"\n', "other = <globs>\n"),
    "table": ("[severity]\n<rule> = <level>\n", "[ci]\nworkflows = <globs>\n<test>",
              "[[migrations]]\npath = <folder>\ntool = <text>\nbackends = <backends>\n",
              ('[[waivers]]\nid = <text>\nrules = <rules>\npaths = <globs>\nreason = "r"\n'
              "granted = <day>\nexpires = <day>\n"), "[per-file-ignores]\n<glob> = <rules>\n",
              "[backend-versions]\nsqlite = <text>\n", "[other]\na = 1\n"),
    "test": ("", "storage-tests = <globs>\n"),
    "globs": ("[<glob>]", '["a/**"]', '["b"]', "[]", "<glob>", "[<glob>, <glob>]", "1"),
    "glob": ('"app/**"', '"*.py"', '"a[!b]?"', '"{a,b}/**/c"', '"/x"', '"[a"', '"é"', '"../a"', '""',
             '"!a"', '"a\\\\b"', '"**/**/**"'),
    "folders": ("[<folder>]", "[<folder>, <folder>]", "<folder>"),
    "folder": ('"."', '"dal_audit"', '"tests"', '"app"', '"../x"', '""', '"a/./b"', '"tests/"', "1"),
    "modules": ("[<module>]", "[]", "[<module>, <module>]", "<module>"),
    "module": ('"json"', '"app.two.*"', '"a..b"', '"é.x"', '"1a"', '"*"', '"a.b.c.d.e"', "true"),
    "backends": ('["sqlite"]', '["sqlite", "postgresql"]', "[]", '["oracle"]', '"sqlite"'),
    "rules": ('["DAL101"]', '["DAL"]', '["driver-import", "DAL3"]', "[]", '["ALL"]', '["DAL999"]',
              '["X"]', '"DAL1"'),
    "rule": ("DAL101", "driver-import", '"DAL302"', "DAL", "DAL999"),
    "level": ('"error"', '"warning"', '"off"', '"loud"', "1"),
    "text": ('"alembic"', '"django"', '"auto"', '"3.35"', '"16"', '"x"', '""', "3.35", "[]"),
    "day": ("2026-01-01", '"2026-01-31"', '"never"', "2026-01-01T00:00:00Z", '"2026-13-01"'),
}  # fmt: skip

BASELINE: Final[Grammar] = {
    "file": ('{"dal-audit-baseline":1}\n<rows>',),
    "rows": ("", "<row>", "<row><row>", "<row><row><row><row>", "<row>\n", "\ufeff<row>"),
    "row": ('{"path":<text>,"rule":"DAL101","symbol":<text>,"line":"01ab","count":<count>}\n',
            '{"path":"a.py","rule":<text>,"symbol":"","line":<text>,"count":1}\n',
            '{"rule": "DAL302", "path": "a.py", "count": 2, "symbol": "", "line": "ff"}\n',
            '{"path":"a.py","rule":"DAL101","symbol":"","line":"f"}\n'),
    "text": ('"a.py"', '"app/a.py"', '""', '"é\\u00e9"', '"\\ud800"', "1", "null", '"' + "x" * 300 + '"'),
    "count": ("1", "2", "0", "-1", "1.5", "true", "99999999999999999999999", '"1"'),
}  # fmt: skip
