#include <libxml/xmlversion.h>
// Debian's libxml2 brings the headers of the system's ICU, which contradict those of Foundation. Only character encoding handlers
// have fields for it; they are not used.
#undef LIBXML_ICU_ENABLED
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/uri.h>
#include <libxml/xmlerror.h>
#include <libxml/xmlschemas.h>
