/* A mistake that the library cannot tell, and valgrind must: one octet more is lent than there is. */
#include <martlet.h>
#include <stdlib.h>

int main(void) {
    martlet_settings settings;
    martlet_config config;
    martlet_connection connection;
    martlet_event event;
    uint8_t out[MARTLET_MIN_OUTPUT];
    martlet_output output = {out, sizeof out, 0, 0};
    martlet_input input = {malloc(3), 4};
    uint8_t *octets = input.ptr;
    if (octets == NULL)
        return 1;
    octets[0] = 'G', octets[1] = 'E', octets[2] = 'T';
    martlet_settings_default(&settings);
    martlet_config_init(&config, sizeof config, &settings, NULL);
    martlet_server_init(&connection, sizeof connection, &config, 0);
    martlet_receive(&connection, 0, &input, &output, &event);
    free(octets);
    return 0;
}
