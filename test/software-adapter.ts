/**
 * For the tests of WebGPU alone: the driver of a software adapter that .ci/run names (NOMOAT_TEST_VULKAN), beside what the machine has. Where every
 * test found one, whatever tries `--device webgpu` would train on it, slowly.
 */
const { NOMOAT_TEST_VULKAN: driver } = process.env;
if (driver) process.env['VK_ADD_DRIVER_FILES'] = driver;
