/* test-conninfo-read - what connection strings say, in both of their forms */

#include "milter/common/conninfo_read.h"

#include "unit.h"

static void test_value(void)
{
    static const struct {
        const char *conninfo, *name, *wanted;
    } cases[] = {
        {"host=db.example dbname=r", "host", "db.example"},
        {"host=db.example dbname=r", "dbname", "r"},
        {"host=db.example dbname=r", "user", NULL},
        {" host = db.example  ", "host", "db.example"},
        {"host=a host=b", "host", "b"},
        {"hostaddr=192.0.2.1", "host", NULL},
        {"application_name='a host=x' host=b", "host", "b"},
        {"passfile='/a b/\\'c'", "passfile", "/a b/'c"},
        {"passfile=/a\\ b", "passfile", "/a b"},
        {"user=''", "user", NULL},
        {"", "host", NULL},
        {"postgresql://mx1@db.example:5433/r?sslmode=verify-full", "user", "mx1"},
        {"postgresql://mx1@db.example:5433/r?sslmode=verify-full", "host", "db.example"},
        {"postgresql://mx1@db.example:5433/r?sslmode=verify-full", "dbname", "r"},
        {"postgresql://mx1@db.example:5433/r?sslmode=verify-full", "sslmode", "verify-full"},
        {"postgresql://db1,[2001:db8::1]:5432,db3:1/r", "host", "db1,2001:db8::1,db3"},
        {"postgresql://%2Frun%2Fpg/r", "host", "/run/pg"},
        {"postgresql:///r?host=/run/pg", "host", "/run/pg"},
        {"postgres://db/?pass%66ile=%2Fa", "passfile", "/a"},
        {"postgresql://", "host", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = conninfo_value(cases[i].conninfo, cases[i].name);
        if (g_strcmp0(found, cases[i].wanted) != 0)
            UNIT_FAIL("%s of %s: got `%s`, want `%s`", cases[i].name, cases[i].conninfo, found, cases[i].wanted);
    }
}

static void test_with(void)
{
    static const char *const cases[][2] = {
        {"host=db dbname=r", "host=db dbname=r sslmode=verify-full"},
        {"host=db sslmode=prefer  dbname='a b'", "host=db dbname='a b' sslmode=verify-full"},
        {"", "sslmode=verify-full"},
        {"postgresql://db/r", "postgresql://db/r?sslmode=verify-full"},
        {"postgresql://db/r?sslmode=require&user=x", "postgresql://db/r?user=x&sslmode=verify-full"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = conninfo_with(cases[i][0], "sslmode", "verify-full");
        g_assert_cmpstr(found, ==, cases[i][1]);
    }
}

static void test_local(void)
{
    static const char *const local[] = {"",
                                        "dbname=r",
                                        "host=/run/postgresql",
                                        "host=localhost",
                                        "host=127.0.0.1,::1",
                                        "host=@pg",
                                        "host=db hostaddr=127.0.0.1",
                                        "postgresql:///r",
                                        "service=x host=/run/postgresql"};
    static const char *const outside[] = {"host=db",   "host=/run/postgresql,db", "hostaddr=192.0.2.1",
                                          "service=r", "host=localhost.example",  "postgresql://127.0.0.1,db/r"};
    for (size_t i = 0; i < G_N_ELEMENTS(local); i++) {
        if (!conninfo_is_local(local[i]))
            UNIT_FAIL("%s is on this host", local[i]);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(outside); i++) {
        if (conninfo_is_local(outside[i]))
            UNIT_FAIL("%s is not on this host", outside[i]);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/conninfo-read/value", test_value);
    g_test_add_func("/conninfo-read/with", test_with);
    g_test_add_func("/conninfo-read/local", test_local);
    return g_test_run();
}
