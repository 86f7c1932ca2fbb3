/* Inside the flash: its memory (flash.c) and the resource files beside it (flash_files.c). */
#ifndef DIALTONE_PHONE_FLASH_INSIDE_H
#define DIALTONE_PHONE_FLASH_INSIDE_H

#include "phone/flash.h"

/* Frees what a chip keeps of files. */
void flash_files_forget(struct flash_chip *chip);

#endif
