from .batches import SyntheticBatches as SyntheticBatches
from .batches import batch_of as batch_of
from .generators.mixture import FAMILIES as FAMILIES
from .generators.mixture import draw_group as draw_group
from .network import MixtureNetwork as MixtureNetwork
from .network import pinball_loss as pinball_loss
from .run import averaged_weights as averaged_weights
from .run import pretrain as pretrain
