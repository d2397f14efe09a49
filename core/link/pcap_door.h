/* pcap_door.h - how this room reaches libpcap. Private to core/link. */
#ifndef TRK_LINK_PCAP_DOOR_H
#define TRK_LINK_PCAP_DOOR_H

#include <pcap/pcap.h>

/* A handle for compiling filters and writing files, without a device. A compiled filter cuts what it
 * passes to snapshot_bytes. NULL: out of memory. */
pcap_t *trk_pcap_open(int link_type, int snapshot_bytes);

#endif
