-- fashion_mnist.lua -- 70,000 gray images of clothes, 28 x 28.  Xiao, Rasul & Vollgraf, 2017.
local core = require "perilune.core"
local no_list = require "perilune.data.no_list"
local options = require "perilune.options"
local shown = require "perilune.shown"

---@class perilune.datasets.FashionMNIST
---@field classes string[]  the name of label 1 .. 10
---@field split "train"|"test"
local FashionMNIST = {}
no_list(FashionMNIST,
  "FashionMNIST: a data set is no list; dataset:get(i) returns sample i, dataset:images() all images")

FashionMNIST.classes = { "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
  "Ankle boot" }

local FILES = { train = "train", test = "t10k" }
local DEBIAN = "/usr/share/datasets/fashion-mnist"   -- of the package dataset-fashion-mnist

local read = options.reader("FashionMNIST", { { "split", "train" }, { "root", nil, "string" } })

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

-- The folder that holds the files of the split.  What the user names is where they must be: others in their place
-- would go unnoticed.
local function find_folder(chosen, name)
  local folder = chosen.root or os.getenv("PERILUNE_DATA") or DEBIAN
  for _, place in ipairs { folder, folder .. "/fashion-mnist", folder .. "/FashionMNIST/raw" } do
    if exists(place .. "/" .. name) then return place end
  end
  return core.raise(string.format("FashionMNIST: no %s in %s; install Debian's package dataset-fashion-mnist "
    .. "(apt-get install dataset-fashion-mnist), or give the folder as root or in PERILUNE_DATA", name, folder))
end

local function read_idx(path, what, shape)
  local tensor, message = core.formats.load_idx(path)
  if not tensor then core.raise("FashionMNIST: " .. message) end
  local sizes = tensor.shape
  local fits = tensor.dtype == "uint8" and #sizes == #shape
  for i = 2, #shape do fits = fits and sizes[i] == shape[i] end
  if not fits then core.raise(string.format("FashionMNIST: %s does not hold %s", path, what)) end
  return tensor
end

--- Reads the data set from root, else from PERILUNE_DATA, else from where Debian's package dataset-fashion-mnist puts
--- it.  Batches of a DataLoader are float32 in [0, 1].
---@param given? { split: "train"|"test", root: string }  default "train": 60,000 images; "test": 10,000
---@return perilune.datasets.FashionMNIST
function FashionMNIST.new(given)
  local chosen = read(given)
  options.choice("FashionMNIST", "split", chosen.split, { "train", "test" })
  local prefix = FILES[chosen.split]
  local folder = find_folder(chosen, prefix .. "-images-idx3-ubyte.gz")
  local images = read_idx(folder .. "/" .. prefix .. "-images-idx3-ubyte.gz", "images of 28 x 28", { 0, 28, 28 })
  local labels = read_idx(folder .. "/" .. prefix .. "-labels-idx1-ubyte.gz", "labels", { 0 })
  local n = images.shape[1]
  if labels.shape[1] ~= n then
    core.raise(string.format("FashionMNIST: %s holds %d images but %d labels", folder, n, labels.shape[1]))
  end
  labels = labels:to("int64") + 1
  if n > 0 and labels:max():item() > 10 then core.raise("FashionMNIST: " .. folder .. " holds labels over 9") end
  local self = { split = chosen.split, _images = images:reshape(n, 1, 28, 28), _labels = labels }
  self._columns = { { tensor = self._images, scale = 1 / 255 }, { tensor = labels } }
  return setmetatable(self, FashionMNIST)
end

--- (60000, 1, 28, 28) uint8 (10000 for the test split)
---@return perilune.Tensor
function FashionMNIST:images() return self._images end

--- (60000) int64, 1 .. 10
---@return perilune.Tensor
function FashionMNIST:labels() return self._labels end

function FashionMNIST:__len() return self._images.shape[1] end

--- Sample i: (1, 28, 28) float32 in [0, 1], and its label.
---@param i integer
---@return perilune.Tensor image
---@return integer label
function FashionMNIST:get(i)
  return self._images:select(1, i):to("float32") * (1 / 255), self._labels[i]:item()
end

function FashionMNIST:columns() return self._columns end

FashionMNIST.__tostring = shown.by("FashionMNIST", function(self) return self.split, #self .. " images of 1x28x28" end)

return FashionMNIST
