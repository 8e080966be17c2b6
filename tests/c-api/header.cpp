// The header in C++: its functions are C's, and its sizes those of the library.
#include <martlet.h>

static_assert(sizeof(martlet_connection) == MARTLET_CONNECTION_SIZE, "the size that is told");
static_assert(sizeof(martlet_config) == MARTLET_CONFIG_SIZE, "the size that is told");
static_assert(alignof(martlet_connection) <= MARTLET_CONNECTION_ALIGN, "the alignment that is told");
static_assert(alignof(martlet_config) <= MARTLET_CONFIG_ALIGN, "the alignment that is told");

int main() {
    martlet_settings settings;
    martlet_config config;
    martlet_connection connection;
    if (martlet_settings_default(&settings) != MARTLET_CODE_OK)
        return 1;
    if (martlet_config_init(&config, sizeof config, &settings, nullptr) != MARTLET_CODE_OK)
        return 2;
    if (martlet_server_init(&connection, sizeof connection, &config, 0) != MARTLET_CODE_OK)
        return 3;
    return martlet_state_of(&connection) == MARTLET_STATE_CONNECTION ? 0 : 4;
}
