// Fused pointwise work of FLUX's blocks in bfloat16, for inference. Compiled at run time for the GPU that is there, so it includes nothing.
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

// y = layer_norm(x) * (1 + scale) + shift. One block a row, eight numbers a thread: width / 8 threads, rounded up to whole warps.
// shift and scale are [batch, width] with rows of the given stride; a batch has so many rows of x.
extern "C" __global__ void modulate(
    const uint4* __restrict__ x, const uint4* __restrict__ shift, const uint4* __restrict__ scale, uint4* __restrict__ y,
    int width, index_t modulation_stride, int rows_per_batch, float epsilon)
{
    int eighths = width >> 3, i = threadIdx.x;
    index_t row = blockIdx.x, place = row * eighths + i;
    bool mine = i < eighths;
    float v[8];
    float sum = 0.0f;
    if (mine)
    {
        uint4 in = x[place];
        v[0] = low(in.x); v[1] = high(in.x); v[2] = low(in.y); v[3] = high(in.y);
        v[4] = low(in.z); v[5] = high(in.z); v[6] = low(in.w); v[7] = high(in.w);
        for (int k = 0; k < 8; k++) { sum += v[k]; }
    }
    float mean = block_sum(sum) / width;
    float squares = 0.0f;
    if (mine) { for (int k = 0; k < 8; k++) { v[k] -= mean; squares += v[k] * v[k]; } }
    float factor = rsqrtf(block_sum(squares) / width + epsilon);
    if (mine)
    {
        index_t modulation = (row / rows_per_batch) * (modulation_stride >> 3) + i;
        uint4 a = scale[modulation], b = shift[modulation], out;
        out.x = both(v[0] * factor * (1.0f + low(a.x)) + low(b.x), v[1] * factor * (1.0f + high(a.x)) + high(b.x));
        out.y = both(v[2] * factor * (1.0f + low(a.y)) + low(b.y), v[3] * factor * (1.0f + high(a.y)) + high(b.y));
        out.z = both(v[4] * factor * (1.0f + low(a.z)) + low(b.z), v[5] * factor * (1.0f + high(a.z)) + high(b.z));
        out.w = both(v[6] * factor * (1.0f + low(a.w)) + low(b.w), v[7] * factor * (1.0f + high(a.w)) + high(b.w));
        y[place] = out;
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

// Brings q, k and v of one stream to their places among all tokens: q and k are normalised by their root mean square, multiplied by a weight [head] and turned,
// v is copied. One warp for a token's head; blockIdx.y is 0 for q, 1 for k, 2 for v.
// Inputs [batch, tokens, heads * head] with rows of the given stride; outputs [batch, all_tokens, heads, head]; turns [all_tokens, head / 2] of (cos, sin).
extern "C" __global__ void place_heads(
    const half_bits* __restrict__ q, const half_bits* __restrict__ k, const half_bits* __restrict__ v, index_t q_stride, index_t k_stride, index_t v_stride,
    const half_bits* __restrict__ q_weight, const half_bits* __restrict__ k_weight, const float2* __restrict__ turns,
    half_bits* __restrict__ q_out, half_bits* __restrict__ k_out, half_bits* __restrict__ v_out,
    int batch, int tokens, int first, int all_tokens, int heads, int head, float epsilon)
{
    index_t warp = ((index_t)blockIdx.x * blockDim.x + threadIdx.x) >> 5;
    int lane = threadIdx.x & 31, part = blockIdx.y;
    if (warp >= (index_t)batch * tokens * heads) { return; }
    int h = (int)(warp % heads);
    index_t row = warp / heads;             // of the stream: batch · tokens
    int b = (int)(row / tokens), t = first + (int)(row % tokens);
    const half_bits* in = part == 0 ? q : part == 1 ? k : v;
    index_t stride = part == 0 ? q_stride : part == 1 ? k_stride : v_stride;
    half_bits* out = part == 0 ? q_out : part == 1 ? k_out : v_out;
    const pair_bits* from = (const pair_bits*)(in + row * stride + (index_t)h * head);
    pair_bits* to = (pair_bits*)(out + (((index_t)b * all_tokens + t) * heads + h) * head);
    int pairs = head >> 1;
    if (part == 2)
    {
        for (int i = lane; i < pairs; i += 32) { to[i] = from[i]; }
        return;
    }
    float squares = 0.0f;
    for (int i = lane; i < pairs; i += 32)
    {
        pair_bits p = from[i];
        squares += low(p) * low(p) + high(p) * high(p);
    }
    float factor = rsqrtf(warp_sum(squares) / head + epsilon);
    const pair_bits* weight = (const pair_bits*)(part == 0 ? q_weight : k_weight);
    for (int i = lane; i < pairs; i += 32)
    {
        pair_bits p = from[i], w = weight[i];
        float a = low(p) * factor * low(w), c = high(p) * factor * high(w);
        float2 turn = turns[(index_t)t * pairs + i];
        to[i] = both(a * turn.x - c * turn.y, a * turn.y + c * turn.x);
    }
}
