/*
 * gmime_api - the two functions of GMime whose declarations changed in 3.2.15.
 *
 * Up to 3.2.14 the library exports internet_address_list_append_parse with an
 * offset, and its header does not declare it; from 3.2.15 on it is declared,
 * without the offset.  The warning callback takes a function that frees its data
 * from 3.2.15 on.  Each function below is the one that this GMime has; configure
 * finds out which.  Nothing else in the tree asks for the version.
 */
#ifndef RCPTGUARD_GMIME_API_H
#define RCPTGUARD_GMIME_API_H

#include <config.h>
#include <gmime/gmime.h>

#if !HAVE_DECL_INTERNET_ADDRESS_LIST_APPEND_PARSE
void internet_address_list_append_parse(InternetAddressList *list, GMimeParserOptions *options, const char *text,
                                        gint64 offset);
#endif

/*
 * Appends to `list` the addresses that GMime finds in `text`, a header value.
 * internet_address_list_parse gives nothing at all where the end is malformed;
 * this keeps what came before.  `options` may be NULL.
 */
static inline void gmime_append_parse(InternetAddressList *list, GMimeParserOptions *options, const char *text)
{
#if HAVE_DECL_INTERNET_ADDRESS_LIST_APPEND_PARSE
    internet_address_list_append_parse(list, options, text);
#else
    internet_address_list_append_parse(list, options, text, -1);
#endif
}

/* `callback` is called with `data`, which stays the caller's, for what is malformed. */
static inline void gmime_set_warning_callback(GMimeParserOptions *options, GMimeParserWarningFunc callback, void *data)
{
#ifdef GMIME_WARNING_CALLBACK_FREES
    g_mime_parser_options_set_warning_callback(options, callback, data, NULL);
#else
    g_mime_parser_options_set_warning_callback(options, callback, data);
#endif
}

#endif
