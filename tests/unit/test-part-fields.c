/* test-part-fields - what the header of a part says, and where it ends */

#include "policy/parts/part_fields.h"
#include "unit.h"

/* type;charset;boundary;name;file;encoding and "!" if it is doubtful */
static char *fields_text(const char *header)
{
    struct part_fields fields = {0};
    struct part_field field;
    const char *at = header, *end = header + strlen(header);
    bool broken = false;

    while (part_field_next(&at, end, &field, &broken))
        part_fields_add(&fields, field.name, field.name_length, field.value, field.length);
    char *text = g_strdup_printf("%s|%s|%s|%s|%s|%s%s%s|%s", fields.type != NULL ? fields.type : "",
                                 fields.charset != NULL ? fields.charset : "",
                                 fields.boundary != NULL ? fields.boundary : "", fields.name != NULL ? fields.name : "",
                                 fields.file != NULL ? fields.file : "", fields.encoding != NULL ? fields.encoding : "",
                                 fields.doubtful ? "!" : "", broken ? "#" : "", at);
    part_fields_clear(&fields);
    return text;
}

static void test_fields(void)
{
    static const struct {
        const char *header, *want;
    } rows[] = {
        {"", "||||||"},
        {"\nbody", "||||||body"},
        {"Content-Type: Text/Plain; charset=UTF-8\r\n\r\nbody", "text/plain|UTF-8|||||body"},
        {"content-type:text/plain;\n\tCharset = \"utf-8\" ; name=\"a;b.csv\"\n\n", "text/plain|utf-8||a;b.csv|||"},
        {"Content-Type: multipart/mixed; boundary=\"a b\\\"c\"\n", "multipart/mixed||a b\"c||||"},
        {"Content-Type: (c) text/plain (d); charset=us-ascii (plain)\n", "text/plain|us-ascii|||||"},
        {"Content-Type: text\n", "text/plain||||||"},
        {"Content-Type: a/b; name*=utf-8'de'K%C3%B6ln.csv\n", "a/b|||K\303\266ln.csv|||"},
        {"Content-Type: a/b; name*0=\"a.\"; name*1*=cs%76\n", "a/b|||a.csv|||"},
        {"Content-Type: a/b; name*1=v; name*0*=''a.cs\n", "a/b|||a.csv|||"},
        {"Content-Type: a/b; name=\"=?utf-8?q?a=2Ecsv?=\"\n", "a/b|||a.csv|||"},
        {"Content-Disposition: attachment; filename=a b.csv\nContent-Transfer-Encoding: Base64\n",
         "||||a b.csv|Base64|"},
        {"Content-Type: a/b; name=x.pdf\nContent-Disposition: inline; filename=x.csv\n", "a/b|||x.pdf|x.csv||"},
        {"Content-Type: a/b\nContent-Type: text/csv\n", "a/b|||||!|"},
        {"Content-Type: m/x; boundary=a; boundary=b\n", "m/x||a|||!|"},
        {"Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64\n", "|||||7bit!|"},
        {"Content-Type : text/csv\n", "text/csv||||||"},
        {"Subject: x\nno field\nContent-Type: text/csv\n", "|||||#|no field\nContent-Type: text/csv\n"},
        {"Content-Type: text/csv", "text/csv||||||"},
        {"Content-Type: a/b; name=\"a.csv", "a/b|||a.csv|||"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *got = fields_text(rows[i].header);
        if (strcmp(got, rows[i].want) != 0)
            UNIT_FAIL("%s\nis    %s\nnot   %s", rows[i].header, got, rows[i].want);
    }
}

static void test_many_parameters(void)
{
    GString *header = g_string_new("Content-Type: a/b");

    for (unsigned i = 0; i < 200; i++)
        g_string_append_printf(header, "; p%u=v", i);
    g_string_append(header, "; name=a.csv\n");
    g_autofree char *got = fields_text(header->str);
    g_assert_cmpstr(got, ==, "a/b|||||!|");
    g_string_free(header, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/part-fields/fields", test_fields);
    g_test_add_func("/part-fields/many", test_many_parameters);
    return g_test_run();
}
