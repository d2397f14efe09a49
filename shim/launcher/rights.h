/* rights.h - the right to open packet sockets, and how the program gets it. */
#ifndef LAUNCHER_RIGHTS_H
#define LAUNCHER_RIGHTS_H

#include <stdbool.h>

/* Hands what the launcher's file capabilities gave it on to the program as ambient capabilities: unlike file
 * capabilities on the program itself they leave the loader trustful (AT_SECURE 0), so the preload works. */
void launcher_pass_rights(void);
/* Will a program that we execute be able to open packet sockets? */
bool launcher_has_rights(void);

#endif
