/* http_field.h - the header fields that this server looks at, read piece by piece. */
#ifndef TRICKLESD_HTTP_FIELD_H
#define TRICKLESD_HTTP_FIELD_H

#include "tricklesd/http_request.h"

#define HTTP_FIELDS 8                  /* values of http_request.field are below */

void http_field_name(struct http_request *r, const char *text, size_t n);
void http_field_value(struct http_request *r, const char *text, size_t n);
/* The field being read, if any, is over. */
void http_field_finish(struct http_request *r);
/* The 64-bit tag of `"0123456789abcdef"`; false if text is another entity tag. */
bool http_tag_parse(const char *text, uint64_t *tag);

#endif
