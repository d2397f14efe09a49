/* peer.c - trk-shim_peer tcp|trickles PORT */
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc != 3 || (strcmp(argv[1], "tcp") != 0 && strcmp(argv[1], "trickles") != 0)) {
        fputs("usage: trk-shim_peer tcp|trickles PORT\n", stderr);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    uint16_t port = (uint16_t)atoi(argv[2]);
    return strcmp(argv[1], "tcp") == 0 ? peer_tcp(port) : peer_trickles(port);
}
