/* pcap_door.c - libpcap inside of us, without the libraries that its capture devices want.
 *
 * We compile filters and write files; no capture device is ever opened. The archive's table of devices still
 * names them, and that of D-Bus needs a library of its own: the two functions below stand in its place, so the
 * linker leaves the rest out. The three streams replace libc's in the archive (see core/CMakeLists.txt); only
 * its scanner's fatal errors and "-" as a file name would use them, and neither is possible here. */
#include "link/pcap_door.h"
#include <stdio.h>

extern FILE *trk_pcap_stdin, *trk_pcap_stdout, *trk_pcap_stderr;
FILE *trk_pcap_stdin, *trk_pcap_stdout, *trk_pcap_stderr;

pcap_t *dbus_create(const char *device, char *errbuf, int *is_ours);
int dbus_findalldevs(void *list, char *errbuf);

pcap_t *dbus_create(const char *device, char *errbuf, int *is_ours)
{
    (void)device;
    (void)errbuf;
    *is_ours = 0;
    return NULL;
}

int dbus_findalldevs(void *list, char *errbuf)
{
    (void)list;
    (void)errbuf;
    return 0;
}

pcap_t *trk_pcap_open(int link_type, int snapshot_bytes)
{
    return pcap_open_dead(link_type, snapshot_bytes);
}
