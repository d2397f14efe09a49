/* mime.c - see mime.h. A change here changes output bytes: raise ANSWER_FORMAT (http_answer.h) with it. */
#include "mime.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static const struct { const char *extension, *type; } types[] = {
    { "html", "text/html" },           { "htm", "text/html" },              { "css", "text/css" },
    { "js", "text/javascript" },       { "mjs", "text/javascript" },        { "json", "application/json" },
    { "txt", "text/plain" },           { "text", "text/plain" },            { "log", "text/plain" },
    { "md", "text/markdown" },         { "csv", "text/csv" },               { "xml", "application/xml" },
    { "xhtml", "application/xhtml+xml" }, { "svg", "image/svg+xml" },       { "png", "image/png" },
    { "jpg", "image/jpeg" },           { "jpeg", "image/jpeg" },            { "gif", "image/gif" },
    { "webp", "image/webp" },          { "avif", "image/avif" },            { "ico", "image/vnd.microsoft.icon" },
    { "bmp", "image/bmp" },            { "tif", "image/tiff" },             { "tiff", "image/tiff" },
    { "mp4", "video/mp4" },            { "webm", "video/webm" },            { "mkv", "video/x-matroska" },
    { "mpeg", "video/mpeg" },          { "mov", "video/quicktime" },        { "mp3", "audio/mpeg" },
    { "ogg", "audio/ogg" },            { "opus", "audio/opus" },            { "flac", "audio/flac" },
    { "wav", "audio/wav" },            { "m4a", "audio/mp4" },              { "pdf", "application/pdf" },
    { "ps", "application/postscript" }, { "zip", "application/zip" },       { "gz", "application/gzip" },
    { "tgz", "application/gzip" },     { "bz2", "application/x-bzip2" },    { "xz", "application/x-xz" },
    { "zst", "application/zstd" },     { "tar", "application/x-tar" },      { "7z", "application/x-7z-compressed" },
    { "iso", "application/vnd.efi.iso" }, { "deb", "application/vnd.debian.binary-package" },
    { "wasm", "application/wasm" },    { "woff", "font/woff" },             { "woff2", "font/woff2" },
    { "ttf", "font/ttf" },             { "otf", "font/otf" },
};

const char *mime_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(slash ? slash : path, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
        if (strcasecmp(dot + 1, types[i].extension) == 0)
            return types[i].type;
    return "application/octet-stream";
}
