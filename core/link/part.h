/* part.h - giving up a packet socket without waiting for it. Private to core/link. */
#ifndef TRK_LINK_PART_H
#define TRK_LINK_PART_H

/* Closes fd. Where it is the last descriptor of a packet socket, close() would block for 10 to 16 ms. */
void trk_link_part(int fd);

#endif
