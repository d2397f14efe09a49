/* capture.c - a pcap file of raw IP packets, written by libpcap. */
#include "link/capture.h"
#include "link/frame.h"
#include <errno.h>
#include <fcntl.h>
#include "link/pcap_door.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define CAPTURE_PACKET_MAX 65535

struct trk_capture {
    pthread_mutex_t lock;
    pcap_t *pcap;
    pcap_dumper_t *dumper;
    uint8_t packet[CAPTURE_PACKET_MAX];
};

/* Truncated, readable by the owner only even if it existed before. */
static FILE *create(const char *path)
{
    struct stat st;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd < 0)
        return NULL;
    bool private = fstat(fd, &st) == 0 && (!S_ISREG(st.st_mode) || fchmod(fd, 0600) == 0);
    FILE *file = private ? fdopen(fd, "wb") : NULL;
    if (!file)
        close(fd);
    return file;
}

struct trk_capture *trk_capture_open(const char *path, char *errbuf, size_t errbuf_bytes)
{
    FILE *file = create(path);
    if (!file) {
        snprintf(errbuf, errbuf_bytes, "capture file %s: %s", path, strerror(errno));
        return NULL;
    }
    struct trk_capture *c = calloc(1, sizeof *c);
    pcap_t *pcap = trk_pcap_open(DLT_RAW, CAPTURE_PACKET_MAX);
    pcap_dumper_t *dumper = pcap ? pcap_dump_fopen(pcap, file) : NULL;
    if (c && dumper) {
        c->pcap = pcap;
        c->dumper = dumper;
        pthread_mutex_init(&c->lock, NULL);
        return c;
    }
    snprintf(errbuf, errbuf_bytes, "capture file %s: %s", path, pcap && c ? pcap_geterr(pcap) : "out of memory");
    if (dumper)
        pcap_dump_close(dumper);       /* closes the file too */
    else
        fclose(file);
    if (pcap)
        pcap_close(pcap);
    free(c);
    return NULL;
}

void trk_capture_write(struct trk_capture *c, const struct iovec *iov, int n)
{
    struct pcap_pkthdr header = { .caplen = 0 };
    struct trk_frame_shape shape;
    pthread_mutex_lock(&c->lock);
    for (int i = 0; i < n; i++) {
        size_t room = sizeof c->packet - header.caplen, bytes = iov[i].iov_len < room ? iov[i].iov_len : room;
        if (bytes)
            memcpy(c->packet + header.caplen, iov[i].iov_base, bytes);
        header.caplen += (bpf_u_int32)bytes;
        header.len += (bpf_u_int32)iov[i].iov_len;
    }
    uint32_t length = header.caplen >= 20 ? trk_frame_length(c->packet) : 0;
    if (length <= header.caplen && trk_frame_shape(c->packet, length, &shape)) {
        trk_frame_finish(c->packet, &shape, length);
        header.caplen = header.len = length;
    }
    gettimeofday(&header.ts, NULL);
    pcap_dump((u_char *)c->dumper, &header, c->packet);
    pthread_mutex_unlock(&c->lock);
}

void trk_capture_flush(struct trk_capture *c)
{
    pthread_mutex_lock(&c->lock);
    pcap_dump_flush(c->dumper);
    pthread_mutex_unlock(&c->lock);
}

void trk_capture_close(struct trk_capture *c)
{
    if (!c)
        return;
    pcap_dump_close(c->dumper);
    pcap_close(c->pcap);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
