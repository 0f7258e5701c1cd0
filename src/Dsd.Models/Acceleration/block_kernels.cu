// Fused pointwise work of transformer blocks in bfloat16, and its gradients. Compiled at run time for the GPU that is there, so it includes nothing.
// Rows of width numbers lie end to end; each kernel computes in float and rounds once.

typedef unsigned short half_bits;
typedef unsigned int pair_bits;   // two bfloat16, the first in the lower half
typedef long long index_t;

__device__ __forceinline__ float low(pair_bits pair) { return __uint_as_float(pair << 16); }
__device__ __forceinline__ float high(pair_bits pair) { return __uint_as_float(pair & 0xffff0000u); }

// To the nearest bfloat16, ties to even; NaN stays NaN.
__device__ __forceinline__ unsigned int rounded(float value)
{
    unsigned int bits = __float_as_uint(value);
    return (bits & 0x7fffffffu) > 0x7f800000u ? 0x7fffu : (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
}

__device__ __forceinline__ pair_bits both(float first, float second) { return rounded(first) | (rounded(second) << 16); }

__device__ __forceinline__ float warp_sum(float value)
{
    for (int step = 16; step > 0; step >>= 1) { value += __shfl_xor_sync(0xffffffffu, value, step); }
    return value;
}

__device__ __forceinline__ float block_sum(float value)
{
    __shared__ float sums[32];
    int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
    value = warp_sum(value);
    __syncthreads(); // the last call's readers are done
    if (lane == 0) { sums[warp] = value; }
    __syncthreads();
    return warp_sum(lane < warps ? sums[lane] : 0.0f);
}

__device__ __forceinline__ void unpack(uint4 in, float* v)
{
    v[0] = low(in.x); v[1] = high(in.x); v[2] = low(in.y); v[3] = high(in.y);
    v[4] = low(in.z); v[5] = high(in.z); v[6] = low(in.w); v[7] = high(in.w);
}

// Eight numbers of layer_norm(x) * (1 + scale) + shift. One block a row, eight numbers a thread: width / 8 threads, rounded up to whole warps.
// shift and scale are [batch, width] with rows of the given stride; a batch has so many rows of x.
__device__ __forceinline__ bool modulated(
    const uint4* __restrict__ x, const uint4* __restrict__ shift, const uint4* __restrict__ scale,
    int width, index_t modulation_stride, int rows_per_batch, float epsilon, float* v)
{
    int eighths = width >> 3, i = threadIdx.x;
    index_t row = blockIdx.x;
    bool mine = i < eighths;
    float sum = 0.0f;
    if (mine)
    {
        unpack(x[row * eighths + i], v);
        for (int k = 0; k < 8; k++) { sum += v[k]; }
    }
    float mean = block_sum(sum) / width;
    float squares = 0.0f;
    if (mine) { for (int k = 0; k < 8; k++) { v[k] -= mean; squares += v[k] * v[k]; } }
    float factor = rsqrtf(block_sum(squares) / width + epsilon);
    if (mine)
    {
        index_t modulation = (row / rows_per_batch) * (modulation_stride >> 3) + i;
        float a[8], b[8];
        unpack(scale[modulation], a);
        unpack(shift[modulation], b);
        for (int k = 0; k < 8; k++) { v[k] = v[k] * factor * (1.0f + a[k]) + b[k]; }
    }
    return mine;
}

// y = layer_norm(x) * (1 + scale) + shift.
extern "C" __global__ void modulate(
    const uint4* __restrict__ x, const uint4* __restrict__ shift, const uint4* __restrict__ scale, uint4* __restrict__ y,
    int width, index_t modulation_stride, int rows_per_batch, float epsilon)
{
    float v[8];
    if (modulated(x, shift, scale, width, modulation_stride, rows_per_batch, epsilon, v))
    {
        y[(index_t)blockIdx.x * (width >> 3) + threadIdx.x] = make_uint4(both(v[0], v[1]), both(v[2], v[3]), both(v[4], v[5]), both(v[6], v[7]));
    }
}

__device__ __forceinline__ pair_bits gated(pair_bits x, pair_bits gate, pair_bits y)
{
    return both(low(x) + low(gate) * low(y), high(x) + high(gate) * high(y));
}

// out = x + gate * y, eight numbers a thread. gate is [batch, width] with rows of the given stride.
extern "C" __global__ void gated_residual(
    const uint4* __restrict__ x, const uint4* __restrict__ gate, const uint4* __restrict__ y, uint4* __restrict__ out,
    index_t count, int width, index_t gate_stride, int rows_per_batch)
{
    index_t place = (index_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (place >= count >> 3) { return; }
    int eighths = width >> 3;
    index_t row = place / eighths;
    uint4 g = gate[(row / rows_per_batch) * (gate_stride >> 3) + place % eighths], a = x[place], b = y[place], o;
    o.x = gated(a.x, g.x, b.x); o.y = gated(a.y, g.y, b.y); o.z = gated(a.z, g.z, b.z); o.w = gated(a.w, g.w, b.w);
    out[place] = o;
}

__device__ __forceinline__ pair_bits rotated(pair_bits p, pair_bits w, float2 rotation, float factor)
{
    float a = low(p) * factor * low(w), c = high(p) * factor * high(w);
    return both(a * rotation.x - c * rotation.y, a * rotation.y + c * rotation.x);
}

__device__ __forceinline__ float squares_of(pair_bits p) { return low(p) * low(p) + high(p) * high(p); }

// Brings q, k and v of one stream to their places among all tokens: q and k are normalised by their root mean square, multiplied by a weight [head]
// and rotated; v is copied. Eight numbers a thread; head / 8 threads, a power of two up to a warp, share a token's head.
// blockIdx.y is 0 for q, 1 for k, 2 for v. Inputs [batch, tokens, heads * head] with rows of the given strides; outputs
// [batch, all_tokens, heads * head] with rows of the given stride. They may be the inputs themselves: each thread reads its numbers before it writes.
// rotary [all_tokens, head / 2] of (cos, sin).
extern "C" __global__ void place_heads(
    const half_bits* q, const half_bits* k, const half_bits* v, index_t q_stride, index_t k_stride, index_t v_stride,
    const uint4* __restrict__ q_weight, const uint4* __restrict__ k_weight, const float4* __restrict__ rotary,
    half_bits* q_out, half_bits* k_out, half_bits* v_out, index_t out_stride,
    int batch, int tokens, int first, int all_tokens, int heads, int head, float epsilon)
{
    int share = head >> 3, row_threads = heads * share, part = blockIdx.y;
    unsigned int thread = blockIdx.x * blockDim.x + threadIdx.x;
    index_t row = thread / row_threads;     // of the stream: batch · tokens
    bool mine = row < (index_t)batch * tokens;
    if (!mine) { row = 0; }                 // such threads take part in the sums of their warp, and write nothing
    int i = (int)(thread % row_threads), j = i % share;
    int b = (int)(row / tokens), t = first + (int)(row % tokens);
    const half_bits* in = part == 0 ? q : part == 1 ? k : v;
    index_t stride = part == 0 ? q_stride : part == 1 ? k_stride : v_stride;
    half_bits* out = part == 0 ? q_out : part == 1 ? k_out : v_out;
    uint4 x = ((const uint4*)(in + row * stride))[i];
    if (part < 2)
    {
        float squares = squares_of(x.x) + squares_of(x.y) + squares_of(x.z) + squares_of(x.w);
        for (int step = share >> 1; step > 0; step >>= 1) { squares += __shfl_xor_sync(0xffffffffu, squares, step); }
        float factor = rsqrtf(squares / head + epsilon);
        uint4 w = (part == 0 ? q_weight : k_weight)[j];
        const float4* rotation = rotary + ((index_t)t * share + j) * 2;
        float4 one = rotation[0], two = rotation[1];
        x.x = rotated(x.x, w.x, make_float2(one.x, one.y), factor);
        x.y = rotated(x.y, w.y, make_float2(one.z, one.w), factor);
        x.z = rotated(x.z, w.z, make_float2(two.x, two.y), factor);
        x.w = rotated(x.w, w.w, make_float2(two.z, two.w), factor);
    }
    if (mine) { ((uint4*)(out + ((index_t)b * all_tokens + t) * out_stride))[i] = x; }
}

// The gradient of x where y = layer_norm(x) * (1 + scale) + shift, added to what x gets from elsewhere. A block a row, as in modulate.
extern "C" __global__ void modulate_gradient(
    const uint4* __restrict__ x, const uint4* __restrict__ scale, const uint4* __restrict__ gradient, const uint4* __restrict__ beside, uint4* __restrict__ out,
    int width, index_t modulation_stride, int rows_per_batch, float epsilon)
{
    int eighths = width >> 3, i = threadIdx.x;
    index_t row = blockIdx.x, place = row * eighths + i;
    bool mine = i < eighths;
    float v[8], g[8], other[8];
    float sum = 0.0f;
    if (mine)
    {
        unpack(x[place], v);
        for (int k = 0; k < 8; k++) { sum += v[k]; }
    }
    float mean = block_sum(sum) / width;
    float squares = 0.0f;
    if (mine) { for (int k = 0; k < 8; k++) { v[k] -= mean; squares += v[k] * v[k]; } }
    float factor = rsqrtf(block_sum(squares) / width + epsilon);
    float along = 0.0f;
    sum = 0.0f;
    if (mine)
    {
        unpack(gradient[place], g);
        unpack(scale[(row / rows_per_batch) * (modulation_stride >> 3) + i], other);
        for (int k = 0; k < 8; k++)
        {
            v[k] *= factor;
            g[k] *= 1.0f + other[k];
            sum += g[k];
            along += g[k] * v[k];
        }
    }
    sum = block_sum(sum) / width;
    along = block_sum(along) / width;
    if (mine)
    {
        unpack(beside[place], other);
        for (int k = 0; k < 8; k++) { v[k] = other[k] + factor * (g[k] - sum - v[k] * along); }
        out[place] = make_uint4(both(v[0], v[1]), both(v[2], v[3]), both(v[4], v[5]), both(v[6], v[7]));
    }
}

// The way back of place_heads: gradients of what lies in its place among all tokens become those of a stream's q, k and v. The gradients that come
// lie in one piece, [batch, all_tokens, heads * head]; those that go have rows of the given stride.
extern "C" __global__ void place_heads_gradient(
    const half_bits* __restrict__ q_gradient, const half_bits* __restrict__ k_gradient, const half_bits* __restrict__ v_gradient,
    const half_bits* __restrict__ q, const half_bits* __restrict__ k, index_t q_stride, index_t k_stride,
    const uint4* __restrict__ q_weight, const uint4* __restrict__ k_weight, const float4* __restrict__ rotary,
    half_bits* __restrict__ q_out, half_bits* __restrict__ k_out, half_bits* __restrict__ v_out, index_t out_stride,
    int batch, int tokens, int first, int all_tokens, int heads, int head, float epsilon)
{
    int share = head >> 3, row_threads = heads * share, part = blockIdx.y;
    unsigned int thread = blockIdx.x * blockDim.x + threadIdx.x;
    index_t row = thread / row_threads;
    bool mine = row < (index_t)batch * tokens;
    if (!mine) { row = 0; }                 // such threads take part in the sums of their warp, and write nothing
    int i = (int)(thread % row_threads), j = i % share;
    int b = (int)(row / tokens), t = first + (int)(row % tokens);
    const half_bits* in = part == 0 ? q_gradient : part == 1 ? k_gradient : v_gradient;
    half_bits* out = part == 0 ? q_out : part == 1 ? k_out : v_out;
    uint4 d = ((const uint4*)(in + ((index_t)b * all_tokens + t) * heads * head))[i];
    if (part < 2)
    {
        float v[8], g[8], w[8];
        unpack(((const uint4*)((part == 0 ? q : k) + row * (part == 0 ? q_stride : k_stride)))[i], v);
        unpack(d, g);
        unpack((part == 0 ? q_weight : k_weight)[j], w);
        const float4* rotation = rotary + ((index_t)t * share + j) * 2;
        float4 turns[2] = { rotation[0], rotation[1] };
        const float* turn = (const float*)turns;
        float squares = 0.0f, along = 0.0f;
        #pragma unroll
        for (int k2 = 0; k2 < 8; k2 += 2)
        {
            float c = turn[k2], s = turn[k2 + 1], one = g[k2], two = g[k2 + 1];
            g[k2] = (one * c + two * s) * w[k2];
            g[k2 + 1] = (two * c - one * s) * w[k2 + 1];
            squares += v[k2] * v[k2] + v[k2 + 1] * v[k2 + 1];
            along += g[k2] * v[k2] + g[k2 + 1] * v[k2 + 1];
        }
        for (int step = share >> 1; step > 0; step >>= 1)
        {
            squares += __shfl_xor_sync(0xffffffffu, squares, step);
            along += __shfl_xor_sync(0xffffffffu, along, step);
        }
        float factor = rsqrtf(squares / head + epsilon);
        float back = factor * factor * along / head;
        for (int n = 0; n < 8; n++) { g[n] = factor * (g[n] - v[n] * back); }
        d = make_uint4(both(g[0], g[1]), both(g[2], g[3]), both(g[4], g[5]), both(g[6], g[7]));
    }
    if (mine) { ((uint4*)(out + row * out_stride))[i] = d; }
}

// GELU in its tanh form, and its derivative.
__device__ __forceinline__ float gelu(float x) { return 0.5f * x * (1.0f + tanhf(0.7978845608f * (x + 0.044715f * x * x * x))); }

__device__ __forceinline__ float gelu_slope(float x)
{
    float t = tanhf(0.7978845608f * (x + 0.044715f * x * x * x));
    return 0.5f * (1.0f + t) + 0.5f * x * (1.0f - t * t) * 0.7978845608f * (1.0f + 0.134145f * x * x);
}

// Channels first [rows, first_width], and after them GELU of x [rows, width]: out [rows, first_width + width]. Eight numbers a thread.
extern "C" __global__ void gelu_beside(
    const uint4* __restrict__ first, const uint4* __restrict__ x, uint4* __restrict__ out, index_t rows, int first_eighths, int eighths)
{
    index_t place = (index_t)blockIdx.x * blockDim.x + threadIdx.x;
    int all = first_eighths + eighths;
    if (place >= rows * all) { return; }
    index_t row = place / all;
    int i = (int)(place % all);
    if (i < first_eighths)
    {
        out[place] = first[row * first_eighths + i];
        return;
    }
    float v[8];
    unpack(x[row * eighths + i - first_eighths], v);
    for (int k = 0; k < 8; k++) { v[k] = gelu(v[k]); }
    out[place] = make_uint4(both(v[0], v[1]), both(v[2], v[3]), both(v[4], v[5]), both(v[6], v[7]));
}

// The gradient of x [rows, width] under GELU; the gradients that come have rows of the given stride. Eight numbers a thread.
extern "C" __global__ void gelu_gradient(
    const uint4* __restrict__ x, const half_bits* __restrict__ gradient, index_t gradient_stride, uint4* __restrict__ out, index_t rows, int eighths)
{
    index_t place = (index_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (place >= rows * eighths) { return; }
    float v[8], g[8];
    unpack(x[place], v);
    unpack(((const uint4*)(gradient + (place / eighths) * gradient_stride))[place % eighths], g);
    for (int k = 0; k < 8; k++) { v[k] = g[k] * gelu_slope(v[k]); }
    out[place] = make_uint4(both(v[0], v[1]), both(v[2], v[3]), both(v[4], v[5]), both(v[6], v[7]));
}

#if __CUDA_ARCH__ >= 890
// Numbers of eight bits (e4m3) with a factor for each row, so that the row's largest number is the largest that there is.

#define LARGEST 448.0f

__device__ __forceinline__ float block_max(float value)
{
    __shared__ float largest[32];
    int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
    for (int step = 16; step > 0; step >>= 1) { value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, step)); }
    __syncthreads(); // the last call's readers are done
    if (lane == 0) { largest[warp] = value; }
    __syncthreads();
    value = lane < warps ? largest[lane] : 0.0f;
    for (int step = 16; step > 0; step >>= 1) { value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, step)); }
    return value;
}

__device__ __forceinline__ unsigned int float8(float first, float second)
{
    unsigned short two;
    asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(two) : "f"(second), "f"(first));
    return two;
}

__device__ __forceinline__ uint2 float8(const float* v, float scale)
{
    uint2 out;
    out.x = float8(v[0] * scale, v[1] * scale) | (float8(v[2] * scale, v[3] * scale) << 16);
    out.y = float8(v[4] * scale, v[5] * scale) | (float8(v[6] * scale, v[7] * scale) << 16);
    return out;
}

__device__ __forceinline__ float largest_of(const float* v)
{
    float most = 0.0f;
    for (int k = 0; k < 8; k++) { most = fmaxf(most, fabsf(v[k])); }
    return most;
}

// As modulate, with the result in eight bits: y [rows, width], factors [rows].
extern "C" __global__ void modulate_float8(
    const uint4* __restrict__ x, const uint4* __restrict__ shift, const uint4* __restrict__ scale, uint2* __restrict__ y, float* __restrict__ factors,
    int width, index_t modulation_stride, int rows_per_batch, float epsilon)
{
    float v[8];
    bool mine = modulated(x, shift, scale, width, modulation_stride, rows_per_batch, epsilon, v);
    float most = fmaxf(block_max(mine ? largest_of(v) : 0.0f), 1e-12f);
    if (mine) { y[(index_t)blockIdx.x * (width >> 3) + threadIdx.x] = float8(v, LARGEST / most); }
    if (threadIdx.x == 0) { factors[blockIdx.x] = most / LARGEST; }
}

// Rows of one or two tensors side by side in eight bits: first [rows, first_width], second [rows, second_width], in bfloat16 with rows of the given strides;
// y [rows, first_width + second_width], factors [rows]. One block a row; a thread keeps what it read of a row of up to 32 numbers a thread.
extern "C" __global__ void to_float8(
    const half_bits* __restrict__ first, const half_bits* __restrict__ second, index_t first_stride, index_t second_stride, int first_width, int second_width,
    uint2* __restrict__ y, float* __restrict__ factors)
{
    int first_eighths = first_width >> 3, eighths = first_eighths + (second_width >> 3);
    index_t row = blockIdx.x;
    const uint4* a = (const uint4*)(first + row * first_stride);
    const uint4* b = (const uint4*)(second + row * second_stride);
    float most = 0.0f;
    float v[8];
    uint4 kept[4];
    #pragma unroll
    for (int n = 0; n < 4; n++)
    {
        int i = threadIdx.x + n * blockDim.x;
        if (i < eighths)
        {
            kept[n] = i < first_eighths ? a[i] : b[i - first_eighths];
            unpack(kept[n], v);
            most = fmaxf(most, largest_of(v));
        }
    }
    for (int i = threadIdx.x + 4 * blockDim.x; i < eighths; i += blockDim.x)
    {
        unpack(i < first_eighths ? a[i] : b[i - first_eighths], v);
        most = fmaxf(most, largest_of(v));
    }
    most = fmaxf(block_max(most), 1e-12f);
    float scale = LARGEST / most;
    #pragma unroll
    for (int n = 0; n < 4; n++)
    {
        int i = threadIdx.x + n * blockDim.x;
        if (i < eighths)
        {
            unpack(kept[n], v);
            y[row * eighths + i] = float8(v, scale);
        }
    }
    for (int i = threadIdx.x + 4 * blockDim.x; i < eighths; i += blockDim.x)
    {
        unpack(i < first_eighths ? a[i] : b[i - first_eighths], v);
        y[row * eighths + i] = float8(v, scale);
    }
    if (threadIdx.x == 0) { factors[row] = most / LARGEST; }
}

__device__ __forceinline__ pair_bits widened(unsigned int two, float factor)
{
    unsigned int halves;
    float first, second;
    asm("cvt.rn.f16x2.e4m3x2 %0, %1;" : "=r"(halves) : "h"((unsigned short)two));
    asm("{ .reg .f16 a, b; mov.b32 {a, b}, %2; cvt.f32.f16 %0, a; cvt.f32.f16 %1, b; }" : "=f"(first), "=f"(second) : "r"(halves));
    return both(first * factor, second * factor);
}

// Back to bfloat16: x [rows, width] in eight bits, factors [rows], y [rows, width]. Eight numbers a thread; count is rows * width / 8, eighths width / 8.
extern "C" __global__ void from_float8(const uint2* __restrict__ x, const float* __restrict__ factors, uint4* __restrict__ y, index_t count, int eighths)
{
    index_t place = (index_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (place >= count) { return; }
    uint2 in = x[place];
    float factor = factors[place / eighths];
    y[place] = make_uint4(
        widened(in.x & 0xffffu, factor), widened(in.x >> 16, factor), widened(in.y & 0xffffu, factor), widened(in.y >> 16, factor));
}
#endif
