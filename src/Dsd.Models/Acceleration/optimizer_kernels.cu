// Steps of optimisers over long vectors in one pass: torch's operations would pass over memory a dozen times or more. Compiled at run time, so it
// includes nothing.

typedef long long index_t;

// AdamW: weights, mean and square in 32 bits, each number for itself. decay is 1 - rate * decay, step is rate / mean correction, root is the square's
// correction under the root. The gradient is multiplied by scale.
extern "C" __global__ void adamw(
    float* __restrict__ weights, const float* __restrict__ gradient, float* __restrict__ mean, float* __restrict__ square, index_t count,
    float scale, float beta1, float beta2, float decay, float step, float root, float epsilon)
{
    index_t i = (index_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) { return; }
    float g = gradient[i] * scale;
    float m = mean[i] * beta1 + g * (1.0f - beta1);
    float v = square[i] * beta2 + g * g * (1.0f - beta2);
    mean[i] = m;
    square[i] = v;
    weights[i] = weights[i] * decay - step * m / (sqrtf(v) / root + epsilon);
}

__device__ __forceinline__ float block_max(float value)
{
    __shared__ float largest[8];
    for (int step = 16; step > 0; step >>= 1) { value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, step)); }
    __syncthreads(); // the last call's readers are done
    if ((threadIdx.x & 31) == 0) { largest[threadIdx.x >> 5] = value; }
    __syncthreads();
    value = largest[threadIdx.x & 7];
    for (int step = 4; step > 0; step >>= 1) { value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, step)); }
    return value;
}

// The end of MurmurHash3.
__device__ __forceinline__ unsigned int mixed(unsigned int x)
{
    x ^= x >> 16; x *= 0x85ebca6bu; x ^= x >> 13; x *= 0xc2b2ae35u;
    return x ^ (x >> 16);
}

// The same with mean and square in eight bits: 256 threads hold the 256 numbers that share a scale. What the codes stand for, and how numbers between two
// codes are rounded, is EightBitAdamW's.
extern "C" __global__ void adamw_eight_bits(
    float* __restrict__ weights, const float* __restrict__ gradient, signed char* __restrict__ mean_code, float* __restrict__ mean_scale,
    unsigned char* __restrict__ square_code, float* __restrict__ square_scale, const unsigned int* __restrict__ places, index_t count, unsigned int key,
    float scale, float beta1, float beta2, float decay, float step, float root, float epsilon)
{
    index_t i = (index_t)blockIdx.x * 256 + threadIdx.x;
    bool mine = i < count; // the state is filled up to whole scales, weights and gradient are not
    float g = mine ? gradient[i] * scale : 0.0f;
    float code = mean_code[i] / 127.0f;
    float m = code * fabsf(code) * mean_scale[blockIdx.x] * beta1 + g * (1.0f - beta1);
    code = square_code[i] / 255.0f;
    float v = code * code * code * code * square_scale[blockIdx.x] * beta2 + g * g * (1.0f - beta2);
    if (mine) { weights[i] = weights[i] * decay - step * m / (sqrtf(v) / root + epsilon); }

    float threshold = (mixed(places[i] ^ key) & 0xffffffu) * (1.0f / 16777216.0f);
    float most_mean = block_max(fabsf(m)), most_square = block_max(v);
    float share = fabsf(m) / fmaxf(most_mean, 1e-38f) * (127.0f * 127.0f);
    float low = floorf(sqrtf(share));
    float up = (share - low * low) / (low * 2.0f + 1.0f) > threshold ? 1.0f : 0.0f;
    float rounded = fminf(fmaxf(low + up, 0.0f), 127.0f);
    mean_code[i] = (signed char)(m > 0.0f ? rounded : m < 0.0f ? -rounded : 0.0f);

    share = v / fmaxf(most_square, 1e-38f) * (255.0f * 255.0f * 255.0f * 255.0f);
    low = floorf(sqrtf(sqrtf(share)));
    float below = low * low * low * low, next = low + 1.0f;
    up = (share - below) / (next * next * next * next - below) > threshold ? 1.0f : 0.0f;
    rounded = fminf(fmaxf(low + up, 0.0f), 255.0f);
    square_code[i] = (unsigned char)fmaxf(rounded, v > 0.0f ? 1.0f : 0.0f);
    if (threadIdx.x == 0) { mean_scale[blockIdx.x] = most_mean; square_scale[blockIdx.x] = most_square; }
}

// Sums of squares: each block sums up 4096 numbers into a place of its own.
extern "C" __global__ void squares(const float* __restrict__ x, float* __restrict__ sums, index_t count)
{
    float sum = 0.0f;
    index_t start = (index_t)blockIdx.x * 4096 + threadIdx.x;
    for (int n = 0; n < 16; n++)
    {
        index_t i = start + n * 256;
        if (i < count) { sum += x[i] * x[i]; }
    }
    __shared__ float parts[8];
    for (int step = 16; step > 0; step >>= 1) { sum += __shfl_xor_sync(0xffffffffu, sum, step); }
    if ((threadIdx.x & 31) == 0) { parts[threadIdx.x >> 5] = sum; }
    __syncthreads();
    if (threadIdx.x == 0)
    {
        for (int n = 1; n < 8; n++) { sum += parts[n]; }
        sums[blockIdx.x] = sum;
    }
}
