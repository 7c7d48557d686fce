/* A blocking libmodbus loop: reads COUNT registers from each of DEVICES connections in turn, ROUNDS times.
 * Usage: client PORT DEVICES ROUNDS COUNT. Prints requests a second and CPU microseconds a request. */
#include <errno.h>
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static double seconds(struct timespec t) { return t.tv_sec + t.tv_nsec * 1e-9; }

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    int port = atoi(argv[1]), devices = atoi(argv[2]), rounds = atoi(argv[3]), count = atoi(argv[4]);
    modbus_t *device[1024];
    uint16_t words[125];
    float values[62], sum = 0;
    for (int i = 0; i < devices; i++) {
        device[i] = modbus_new_tcp("127.0.0.1", port);
        modbus_set_slave(device[i], 1);
        modbus_set_response_timeout(device[i], 10, 0); /* a machine with other work must not end the run */
        modbus_set_byte_timeout(device[i], 10, 0);
        if (modbus_connect(device[i])) return 1;
    }
    struct timespec began, ended;
    struct rusage used;
    clock_gettime(CLOCK_MONOTONIC, &began);
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < devices; i++) {
            if (modbus_read_registers(device[i], 0, count, words) != count) {
                fprintf(stderr, "round %d: %s\n", round, modbus_strerror(errno));
                return 1;
            }
            for (int n = 0; n < count / 2; n++) values[n] = modbus_get_float_abcd(words + 2 * n);
            sum += values[0];
        }
    clock_gettime(CLOCK_MONOTONIC, &ended);
    getrusage(RUSAGE_SELF, &used);
    double cpu = used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6;
    double requests = (double)devices * rounds;
    printf("%.1f %.3f %g\n", requests / (seconds(ended) - seconds(began)), cpu / requests * 1e6, sum);
    return 0;
}
